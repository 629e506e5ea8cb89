import { join } from 'node:path';

/** Files of a run's folder. */
export const runFiles = (
  folder: string,
): Record<'checkpoint' | 'last' | 'best' | 'results' | 'rates' | 'events', string> => ({
  checkpoint: join(folder, 'checkpoint.safetensors'),
  last: join(folder, 'last.safetensors'),
  best: join(folder, 'best.safetensors'),
  results: join(folder, 'results.csv'),
  rates: join(folder, 'rates.csv'),
  events: join(folder, 'tensorboard', 'events.out.tfevents.0000000000.softshard'),
});
