/** The TensorFlow wheels that an engine can be built from, pinned by digest. */

/** One wheel of the Python package index. The wheel is a zip that holds TensorFlow's C library and headers. */
export interface Wheel {
  /** Requirement as pip takes it. */
  readonly requirement: string;
  /** File name in the index. */
  readonly file: string;
  /** Size of the wheel, bytes. */
  readonly bytes: number;
  /** Digest of the wheel, lower-case hex. */
  readonly sha256: string;
  /** Size of what is kept of it, bytes. */
  readonly unpackedBytes: number;
  /** TensorFlow's version. */
  readonly tensorflow: string;
  /** What the engine computes on. */
  readonly device: 'cpu';
  /** `process.platform`-`process.arch` that it runs on. */
  readonly platform: string;
  /** Lowest glibc version. */
  readonly glibc: string;
  /** Platform tag for `pip download`, which frees it from the local Python's version. */
  readonly pipPlatform: string;
  readonly pipPython: string;
}

/** Every known wheel; one for a platform. */
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
    pipPlatform: 'manylinux_2_27_x86_64',
    pipPython: '311',
  },
];

/** The wheel for a platform (`linux-x64`), if there is one. */
export const wheelFor = (platform: string): Wheel | undefined =>
  WHEELS.find((wheel) => wheel.platform === platform);
