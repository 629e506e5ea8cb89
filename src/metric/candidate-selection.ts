/** Keeps the best of many scored candidates. */
import { rankDescending } from './ranking.ts';

/**
 * A running selection of the best `limit` (row, class) candidates over `threshold`, bounded in memory however many
 * are offered. Offer in tie order: of equal scores the one offered first counts as better.
 */
export class CandidateSelection {
  /** Candidates held; after `compact` these are the best, in descending order. */
  count = 0;
  readonly scores: Float32Array;
  readonly rows: Int32Array;
  readonly classes: Int32Array;
  /** Candidates at or below this score can no longer enter. */
  #floor: number;
  readonly #limit: number;

  /** `threshold` >= 0 as float32; `limit` in 1…2^20. */
  constructor(threshold: number, limit: number) {
    this.#floor = threshold;
    this.#limit = limit;
    const capacity = Math.min(Math.max(2 * limit, 1 << 16), 1 << 21);
    this.scores = new Float32Array(capacity);
    this.rows = new Int32Array(capacity);
    this.classes = new Int32Array(capacity);
  }

  /** Takes in one candidate if it can still be among the best. A NaN score never is. */
  offer(score: number, row: number, classIndex: number): void {
    if (!(score > this.#floor)) return;
    if (this.count === this.scores.length) {
      this.compact();
      if (!(score > this.#floor)) return;
    }
    this.scores[this.count] = score;
    this.rows[this.count] = row;
    this.classes[this.count] = classIndex;
    this.count++;
  }

  /** Sorts, and drops all but the best `limit`. */
  compact(): void {
    const order = rankDescending(this.scores, this.count, this.#limit);
    for (const array of [this.scores, this.rows, this.classes]) {
      array.set(Array.from(order, (i) => array[i] ?? 0));
    }
    this.count = order.length;
    if (this.count === this.#limit) this.#floor = this.scores[this.count - 1] ?? this.#floor;
  }
}
