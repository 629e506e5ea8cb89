/** The plain JavaScript engine: very slow, exact enough to check the others. For tests. */
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import type { Engine } from './engine.ts';
import { portableOps } from './ops/portable.ts';

export async function openCpu(): Promise<Engine> {
  await tf.setBackend('cpu');
  return {
    info: { name: 'cpu', tfjs: tf.version_core, device: 'cpu', threads: 1, isa: 'javascript' },
    ops: portableOps,
  };
}
