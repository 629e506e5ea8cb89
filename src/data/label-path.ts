/** Where the labels of an image lie. */

/**
 * The label file of an image file (POSIX paths): the LAST `/images/` becomes `/labels/` and the extension `.txt`.
 * Without such a folder the label file lies beside the image.
 */
export function labelPath(imageFile: string): string {
  const at = imageFile.lastIndexOf('/images/');
  const moved =
    at < 0 ? imageFile : `${imageFile.slice(0, at)}/labels/${imageFile.slice(at + '/images/'.length)}`;
  const dot = moved.lastIndexOf('.');
  return `${dot > moved.lastIndexOf('/') ? moved.slice(0, dot) : moved}.txt`;
}
