import sharp from 'sharp';

/** What decodes images here, by name: the versions that pixels depend on. */
export const decoderVersions = (): { readonly sharp: string; readonly libvips: string } => ({
  sharp: sharp.versions.sharp,
  libvips: sharp.versions.vips,
});
