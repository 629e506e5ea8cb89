/** Whether this machine has an NVIDIA GPU that TensorFlow could use. Looks at files only; loads nothing. */
import { existsSync, readFileSync } from 'node:fs';
import { LOWEST_DRIVER } from './cuda-wheels.ts';
import { isOlder } from './version-order.ts';

/** A driver was found, or why no GPU can be used. */
export type GpuDevice = { readonly driver: string } | { readonly missing: string };

export const hasGpu = (device: GpuDevice): device is { readonly driver: string } => 'driver' in device;

/** What is asked of the machine; replaced in tests. */
export interface GpuProbe {
  readonly exists: (path: string) => boolean;
  /** The file's text, or undefined. */
  readonly read: (path: string) => string | undefined;
}

const machine: GpuProbe = {
  exists: existsSync,
  read: (path) => {
    try {
      return readFileSync(path, 'utf8');
    } catch {
      return undefined;
    }
  },
};

/** Looks for the driver's device node, its version, and whether the environment hides the cards. */
export const findGpu = (
  environment: Readonly<Record<string, string | undefined>> = process.env,
  probe: GpuProbe = machine,
): GpuDevice => {
  const visible = environment['CUDA_VISIBLE_DEVICES'];
  if (visible !== undefined && ['', '-1'].includes(visible.trim()))
    return { missing: 'CUDA_VISIBLE_DEVICES hides every GPU' };
  // WSL has no kernel module of its own; Windows' driver stands behind this node.
  if (probe.exists('/dev/dxg') && probe.exists('/usr/lib/wsl/lib/libcuda.so.1')) return { driver: 'WSL' };
  if (!probe.exists('/dev/nvidiactl')) return { missing: 'there is no NVIDIA driver (/dev/nvidiactl)' };
  const version = /Kernel Module[^\n]*?\s(\d+\.\d+)/.exec(
    probe.read('/proc/driver/nvidia/version') ?? '',
  )?.[1];
  if (version !== undefined && isOlder(version, LOWEST_DRIVER))
    return { missing: `the NVIDIA driver ${version} is older than ${LOWEST_DRIVER}, which CUDA 12 needs` };
  return { driver: version ?? 'unknown version' };
};
