/** Turns a scene into the bytes of a picture and of its label file. */
import sharp from 'sharp';
import { drawKey, drawWords } from '../random/keyed.ts';
import type { Scene } from './scene.ts';
import { corners, SHAPE_CLASSES, visibleBox, type Colour, type Shape } from './shape.ts';

const rgb = (colour: Colour): string => `rgb(${colour.join(',')})`;

const element = (shape: Shape): string => {
  const {
    kind,
    centre: [x, y],
    radius,
    colour,
  } = shape;
  if (kind === 'circle')
    return `<circle cx="${x.toFixed(3)}" cy="${y.toFixed(3)}" r="${radius.toFixed(3)}" fill="${rgb(colour)}"/>`;
  const points = corners(shape).map((point) => point.map((v) => v.toFixed(3)).join(','));
  return `<polygon points="${points.join(' ')}" fill="${rgb(colour)}"/>`;
};

const svg = ({ side, background: [from, to], direction, shapes }: Scene): string =>
  `<svg xmlns="http://www.w3.org/2000/svg" width="${side}" height="${side}">` +
  `<defs><linearGradient id="b" gradientTransform="rotate(${direction.toFixed(2)} 0.5 0.5)">` +
  `<stop offset="0" stop-color="${rgb(from)}"/><stop offset="1" stop-color="${rgb(to)}"/></linearGradient></defs>` +
  `<rect width="100%" height="100%" fill="url(#b)"/>${shapes.map(element).join('')}</svg>`;

/** Adds noise, four draws a block of 16 bytes: each byte changes by -noise…noise. */
function addNoise(pixels: Uint8Array, noise: number, seed: number, split: string, index: number): void {
  const key = drawKey(seed, `shapes-noise-${split}`, index);
  for (let at = 0; at < pixels.length; at += 16) {
    const words = drawWords(key, at / 16);
    for (let i = 0; i < 16 && at + i < pixels.length; i++) {
      const byte = ((words[i >> 2] ?? 0) >>> (8 * (i & 3))) & 0xff;
      const value = (pixels[at + i] ?? 0) + Math.round((byte / 127.5 - 1) * noise);
      pixels[at + i] = Math.min(255, Math.max(0, value));
    }
  }
}

/** The picture as PNG, RGB, `side` x `side`; the same bytes for the same arguments and version of sharp. */
export async function paintScene(scene: Scene, seed: number, split: string, index: number): Promise<Buffer> {
  const { side, noise } = scene;
  const pixels = await sharp(Buffer.from(svg(scene)))
    .removeAlpha()
    .raw()
    .toBuffer();
  addNoise(pixels, noise, seed, split, index);
  return sharp(pixels, { raw: { width: side, height: side, channels: 3 } })
    .png({ compressionLevel: 6 })
    .toBuffer();
}

/** The scene's label file: a row `class cx cy w h` a shape, normalised by the side; boxes are tight and clipped. */
export const labelText = ({ side, shapes }: Scene): string =>
  shapes
    .map((shape) => {
      const [x1, y1, x2, y2] = visibleBox(shape, side);
      const box = [(x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1].map((v) => (v / side).toFixed(6));
      return `${SHAPE_CLASSES.indexOf(shape.kind)} ${box.join(' ')}\n`;
    })
    .join('');
