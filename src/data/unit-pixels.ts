/** Pixels as models take them. */

/** value / 255 for every byte, correctly rounded. */
const UNIT = Float32Array.from({ length: 256 }, (_, value) => value / 255);

/** Writes the bytes of an image as float32 in 0...1 into image `index` of a batch of equal images. */
export function writePixels(pixels: Uint8Array, into: Float32Array, index: number): void {
  const start = index * pixels.length;
  for (let i = 0; i < pixels.length; i++) into[start + i] = UNIT[pixels[i] ?? 0] ?? 0;
}

/** As `writePixels`, channel by channel: [3, height, width]. */
export function writePlanarPixels(pixels: Uint8Array, into: Float32Array, index: number): void {
  const start = index * pixels.length;
  const cells = pixels.length / 3;
  for (let cell = 0, i = 0; cell < cells; cell++) {
    for (let channel = 0; channel < 3; channel++, i++) {
      into[start + channel * cells + cell] = UNIT[pixels[i] ?? 0] ?? 0;
    }
  }
}
