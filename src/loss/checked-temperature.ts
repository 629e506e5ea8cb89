import { SoftshardError } from '../errors.ts';

/** `temperature` itself. Throws E_LOSS unless it is positive and finite. */
export function checkedTemperature(temperature: number): number {
  if (temperature > 0 && Number.isFinite(temperature)) return temperature;
  throw new SoftshardError('E_LOSS', {
    message: 'The temperature of soft targets must be positive.',
    expected: '> 0',
    found: `${temperature}`,
  });
}
