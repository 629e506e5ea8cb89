/**
 * Logits as whole numbers of 1/4096, so that every reader computes the same predictions and float32 holds every
 * decoded value exactly.
 */

/** Whole numbers a logit. */
export const UNIT = 4096;

/** Logits of this magnitude and more cannot be stored: float32 holds 24 bits. */
export const LARGEST_LOGIT = 4096;

/** a / b rounded to the nearest whole number, halves up; exact for whole numbers with |2a + b| < 2^53. */
export const roundedQuotient = (a: number, b: number): number => Math.floor((2 * a + b) / (2 * b));

const LARGEST_UNITS = LARGEST_LOGIT * UNIT - 1;

/** A logit of units, kept below the largest: what is decoded can be encoded again. */
export const logitOf = (units: number): number =>
  (units > LARGEST_UNITS ? LARGEST_UNITS : units < -LARGEST_UNITS ? -LARGEST_UNITS : units) / UNIT;
