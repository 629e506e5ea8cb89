/** The TensorFlow wheels that an engine can be built from, pinned by digest. */
import { CUDA_WHEELS } from './cuda-wheels.ts';
import type { PinnedWheel } from './pinned-wheel.ts';

/** What an engine is built to compute on. */
export type EngineDevice = 'cpu' | 'gpu';

/** A wheel of TensorFlow, which holds its C library and headers. */
export interface Wheel extends PinnedWheel {
  /** TensorFlow's version. */
  readonly tensorflow: string;
  readonly device: EngineDevice;
  /** `process.platform`-`process.arch` that it runs on. */
  readonly platform: string;
  /** Lowest glibc version; null on macOS. */
  readonly glibc: string | null;
  /** Lowest version of macOS; null elsewhere. */
  readonly macos: string | null;
  /** Wheels whose libraries TensorFlow looks for beside its own. */
  readonly companions: readonly PinnedWheel[];
}

/**
 * Every known wheel; at most one for a platform and a device. Python's version in the name does not matter: its C
 * library knows nothing of Python. (TensorFlow's only wheel for aarch64 and for macOS computes on the CPU.)
 */
export const WHEELS: readonly Wheel[] = [
  {
    requirement: 'tensorflow-cpu==2.21.0',
    file: 'tensorflow_cpu-2.21.0-cp311-cp311-manylinux_2_27_x86_64.whl',
    bytes: 273_829_956,
    sha256: '2b847d217b02ee7731ed91431daf3250daa0196c3c94614d23be27232e6e5b6c',
    unpackedBytes: 853_787_275,
    tensorflow: '2.21.0',
    device: 'cpu',
    platform: 'linux-x64',
    glibc: '2.27',
    macos: null,
    companions: [],
    pipPlatform: 'manylinux_2_27_x86_64',
    pipPython: '311',
  },
  {
    requirement: 'tensorflow==2.21.0',
    file: 'tensorflow-2.21.0-cp311-cp311-manylinux_2_27_aarch64.whl',
    bytes: 281_828_020,
    sha256: '4b24aca16d527a3cf1c37f720c04c484c3d20f4d0fdfa98632ac8b9f3be6eb5c',
    unpackedBytes: 883_540_547,
    tensorflow: '2.21.0',
    device: 'cpu',
    platform: 'linux-arm64',
    glibc: '2.27',
    macos: null,
    companions: [],
    pipPlatform: 'manylinux_2_27_aarch64',
    pipPython: '311',
  },
  {
    requirement: 'tensorflow==2.21.0',
    file: 'tensorflow-2.21.0-cp311-cp311-macosx_12_0_arm64.whl',
    bytes: 223_405_849,
    sha256: '51f46f4806139d01fc7920cc72a4c75876f80649bf40ff083ab6212ceb43ca88',
    unpackedBytes: 741_283_963,
    tensorflow: '2.21.0',
    device: 'cpu',
    platform: 'darwin-arm64',
    glibc: null,
    macos: '12.0',
    companions: [],
    pipPlatform: 'macosx_12_0_arm64',
    pipPython: '311',
  },
  {
    requirement: 'tensorflow==2.21.0',
    file: 'tensorflow-2.21.0-cp311-cp311-manylinux_2_27_x86_64.whl',
    bytes: 572_440_367,
    sha256: '9056fbc9ba04235810b71ae6cbd958a196e8804fb53bbcffbf3e23b56155f124',
    unpackedBytes: 1_259_499_419,
    tensorflow: '2.21.0',
    device: 'gpu',
    platform: 'linux-x64',
    glibc: '2.27',
    macos: null,
    companions: CUDA_WHEELS,
    pipPlatform: 'manylinux_2_27_x86_64',
    pipPython: '311',
  },
];

/** The wheel for a platform (`linux-x64`) and a device, if there is one. */
export const wheelFor = (platform: string, device: EngineDevice = 'cpu'): Wheel | undefined =>
  WHEELS.find((wheel) => wheel.platform === platform && wheel.device === device);

/** A wheel and its companions. */
export const allWheels = (wheel: Wheel): readonly PinnedWheel[] => [wheel, ...wheel.companions];

/** Bytes to download, and bytes on disk when installed, of a wheel and its companions. */
export const wheelSizes = (wheel: Wheel): { readonly download: number; readonly installed: number } => {
  const all = allWheels(wheel);
  return {
    download: all.reduce((sum, { bytes }) => sum + bytes, 0),
    installed: all.reduce((sum, { unpackedBytes }) => sum + unpackedBytes, 0),
  };
};
