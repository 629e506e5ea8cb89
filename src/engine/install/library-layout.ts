/** What TensorFlow's shared libraries are called on a platform, and how the binding is linked to them. */

export interface LibraryLayout {
  /** TensorFlow's libraries in an engine's `lib`, the C API first. */
  readonly libraries: readonly [cc: string, framework: string];
  /** Names for the linker, which stand for the libraries: name, and what it points to. */
  readonly links: readonly (readonly [name: string, target: string])[];
  /** Makes the binding a loadable module that finds the libraries in `lib` beside itself. */
  readonly linkFlags: readonly string[];
}

const linux: LibraryLayout = {
  libraries: ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2'],
  links: [
    ['libtensorflow.so', 'libtensorflow_cc.so.2'],
    ['libtensorflow_framework.so', 'libtensorflow_framework.so.2'],
  ],
  linkFlags: ['-shared', '-Wl,-rpath,$ORIGIN/lib'],
};

const macos: LibraryLayout = {
  libraries: ['libtensorflow_cc.2.dylib', 'libtensorflow_framework.2.dylib'],
  links: [
    ['libtensorflow.dylib', 'libtensorflow_cc.2.dylib'],
    ['libtensorflow_framework.dylib', 'libtensorflow_framework.2.dylib'],
  ],
  // Node's own symbols are there only when Node loads the module.
  linkFlags: ['-bundle', '-undefined', 'dynamic_lookup', '-Wl,-rpath,@loader_path/lib'],
};

/** The layout for `process.platform`. */
export const libraryLayout = (platform: string = process.platform): LibraryLayout =>
  platform === 'darwin' ? macos : linux;
