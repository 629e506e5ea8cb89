/** Brings every wheel of an engine to this machine, and proves that each is the pinned one. */
import { rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { downloadWheel, verifyWheel } from './fetch-wheel.ts';
import { sizeText } from './install-plan.ts';
import { pipCommand, type PinnedWheel } from './pinned-wheel.ts';
import { cannotInstall, requirePip } from './requirements.ts';
import { allWheels, type Wheel } from './wheels.ts';

export interface ProvideWheelsOptions {
  /** A wheel that is already on this machine, or the folder with it and its companions. */
  readonly given: string | undefined;
  /** Folder for what is downloaded, removed by the caller. */
  readonly temporary: string;
  readonly log: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal | undefined;
}

const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;

/** Where the wheels must lie when they were fetched by hand: the file itself, its companions beside it. */
const givenPaths = (wheel: Wheel, given: string): string[] => {
  const inFolder = isFolder(given);
  const folder = inFolder ? given : dirname(given);
  const companions = wheel.companions.map(({ file }) => join(folder, file));
  const missing = wheel.companions.filter(
    ({ file }) => statSync(join(folder, file), { throwIfNoEntry: false }) === undefined,
  );
  if (missing.length > 0)
    throw cannotInstall(
      `${missing.length} of the wheels that a GPU engine needs are not in ${folder}.`,
      `On a machine with a network, in a folder: ${missing.map(pipCommand).join('; ')}; then pass the folder with --from DIR.`,
      missing.map(({ file }) => file).join(', '),
    );
  return [inFolder ? join(given, wheel.file) : given, ...companions];
};

/** A wheel on this machine, verified. */
export interface ProvidedWheel {
  readonly pinned: PinnedWheel;
  readonly path: string;
}

/**
 * The wheels one after another, TensorFlow's first. One that was downloaded is removed once the next is asked for, so
 * that the disk holds one at a time. Throws E_ENGINE_INSTALL, E_FILE.
 */
export async function* provideWheels(
  wheel: Wheel,
  options: ProvideWheelsOptions,
): AsyncGenerator<ProvidedWheel, void> {
  const { given, temporary, environment, log, say, signal } = options;
  const signalled = signal === undefined ? {} : { signal };
  const paths = given === undefined ? undefined : givenPaths(wheel, given);
  const python = paths === undefined ? await requirePip(environment, signal) : '';
  for (const [i, pinned] of allWheels(wheel).entries()) {
    const own = paths?.[i];
    if (own === undefined)
      say(`downloading ${pinned.requirement} (${sizeText(pinned.bytes)}) to ${temporary}`);
    const folder = join(temporary, String(i));
    const path =
      own ??
      (await downloadWheel(pinned, {
        ...{ python, folder, environment, log, onMessage: say },
        ...signalled,
      }));
    say(`verifying ${pinned.file}`);
    await verifyWheel(path, pinned, signal);
    yield { pinned, path };
    rmSync(folder, { recursive: true, force: true });
  }
}
