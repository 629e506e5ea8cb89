/** Why the native engine was chosen, and on which device it really computes. */
import { hasGpu, type GpuDevice } from './install/gpu-device.ts';

type Device = 'cpu' | 'gpu';

/**
 * In one line; TensorFlow falls back to the CPU in silence, so that an engine built for the GPU says where it is.
 *
 * @param asked Whether the engine was asked for by name.
 * @param built What the engine was built for.
 * @param used What the loaded backend reports that it uses.
 */
export const nativeReason = (asked: boolean, built: Device, used: Device, gpu: GpuDevice): string => {
  const why = asked ? 'asked for' : 'installed';
  if (built === used) return why;
  const missing = hasGpu(gpu)
    ? `the driver ${gpu.driver} is there, and TensorFlow found no GPU that it can use`
    : gpu.missing;
  return `${why}; built for the GPU, it computes on the CPU: ${missing}`;
};
