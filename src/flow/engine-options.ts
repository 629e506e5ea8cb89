/** The options of a command that opens an engine. */
import { z } from 'zod';

export const engineOptions = {
  engine: z.enum(['native', 'wasm', 'cpu']).optional().describe('engine; the best there is by default'),
  threads: z.int().min(1).optional().describe('threads of the engine; those of the machine by default'),
} as const;
