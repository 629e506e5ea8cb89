/** Pixels by formula: the inputs of the OpenCV vectors, and images for tests that need no decoder. */
import type { RgbImage } from '../../src/data/rgb-image.ts';

/** (3x² + 5y² + 7xy + 91c + 3((37x + 101y + 17c) mod 64)) mod 256, shifted by `salt`. */
export function formulaPixels(width: number, height: number, salt = 0): RgbImage {
  const pixels = new Uint8Array(width * height * 3);
  let o = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < 3; c++) {
        const noise = 3 * ((37 * x + 101 * y + 17 * c) % 64);
        pixels[o++] = (3 * x * x + 5 * y * y + 7 * x * y + 91 * c + noise + salt) % 256;
      }
    }
  }
  return { width, height, pixels };
}
