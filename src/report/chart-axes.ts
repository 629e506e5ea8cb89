/** The axes of a chart. */
import type { Axis } from './axis.ts';
import { FONT, ruleElement, textElement } from './svg-element.ts';
import { fitText, textWidth } from './text-width.ts';

/** Where the plot lies in the drawing. */
export interface Frame {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** Grid, ticks, their labels and what runs along x. */
export function drawAxes(x: Axis, y: Axis, frame: Frame, xLabel: string): string {
  const across = (at: number): number => frame.left + at * (frame.right - frame.left);
  const up = (at: number): number => frame.bottom - at * (frame.bottom - frame.top);
  const horizontal = y.ticks.map(({ at, text: label }) => {
    const py = up(at);
    return (
      ruleElement(frame.left, py, frame.right, py, 'class="grid"') +
      textElement(frame.left - 7, py + 4, label, 'text-anchor="end" class="muted"')
    );
  });
  // A label that would touch its neighbour is left out; its tick stays.
  let free = -Infinity;
  const vertical = x.ticks.map(({ at, text: label }) => {
    const px = across(at);
    const tick = ruleElement(px, frame.bottom, px, frame.bottom + 4, 'class="axis"');
    const half = textWidth(label, FONT) / 2;
    if (px - half < free) return tick;
    free = px + half + 6;
    return tick + textElement(px, frame.bottom + 17, label, 'text-anchor="middle" class="muted"');
  });
  const middle = (frame.left + frame.right) / 2;
  return [
    ...horizontal,
    ...vertical,
    ruleElement(frame.left, frame.bottom, frame.right, frame.bottom, 'class="axis"'),
    textElement(
      middle,
      frame.bottom + 34,
      fitText(xLabel, FONT, frame.right - frame.left),
      'text-anchor="middle" class="muted"',
    ),
  ].join('');
}
