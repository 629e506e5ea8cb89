/** What an installation will do, said before it does anything. */
import { LOWEST_DRIVER } from './cuda-wheels.ts';
import { hasGpu, type GpuDevice } from './gpu-device.ts';
import { allWheels, wheelSizes, type Wheel } from './wheels.ts';

export interface InstallPlan {
  readonly wheel: Wheel;
  /** Bytes to download; 0 where the wheels are here. */
  readonly downloadBytes: number;
  /** Bytes that the installed engine takes. */
  readonly installedBytes: number;
  /** Bytes that must be free while it is made: pip keeps two copies of a wheel, one wheel at a time. */
  readonly freeBytes: number;
}

export const sizeText = (bytes: number): string =>
  bytes < 1e9 ? `${Math.round(bytes / 1e6)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;

/** The sizes of an installation that downloads, or one whose wheels are here. */
export const installPlan = (wheel: Wheel, downloads: boolean): InstallPlan => {
  const { download, installed } = wheelSizes(wheel);
  const largest = Math.max(...allWheels(wheel).map(({ bytes }) => bytes));
  return {
    wheel,
    downloadBytes: downloads ? download : 0,
    installedBytes: installed,
    freeBytes: installed + (downloads ? 2 * largest : 0),
  };
};

/** Size and place, and what the GPU says to it. */
export const planLines = (plan: InstallPlan, place: string, gpu: GpuDevice): readonly string[] => {
  const { wheel, downloadBytes, installedBytes } = plan;
  const parts = [
    `native engine for the ${wheel.device.toUpperCase()}: TensorFlow ${wheel.tensorflow}`,
    ...(wheel.companions.length === 0 ? [] : [`CUDA 12 in ${wheel.companions.length} wheels`]),
    ...(downloadBytes === 0 ? [] : [`${sizeText(downloadBytes)} to download`]),
    `${sizeText(installedBytes)} on disk, in ${place}`,
  ];
  const lines = [parts.join(', ')];
  if (wheel.device === 'gpu' && !hasGpu(gpu))
    lines.push(
      `no GPU can be used here now: ${gpu.missing}. The engine will compute on the CPU until a driver ${LOWEST_DRIVER} or newer shows one.`,
    );
  if (wheel.device === 'cpu' && hasGpu(gpu))
    lines.push('an NVIDIA GPU is here: engine install --device gpu installs the engine that uses it');
  return lines;
};
