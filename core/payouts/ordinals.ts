import { FINGERPRINT_BYTES } from './fingerprint.ts';

const WORDS = FINGERPRINT_BYTES / 4;
const ROOM_AT_FIRST = 1_024;

/**
 * Counts equal lines of one source, so that a line that truly occurs twice is two lines, and the same line of another source is none. It takes about
 * 30 bytes for each line that differs: an object for each of a million would take ten times as much.
 */
export class Ordinals {
  #known = 0;
  /** The fingerprints in the order in which they came, and how often each did. */
  #words = new Uint32Array(ROOM_AT_FIRST * WORDS);
  #counts = new Uint32Array(ROOM_AT_FIRST);
  /** A hash table with open addressing: the number of a fingerprint, plus one. */
  #slots = new Int32Array(ROOM_AT_FIRST * 2);

  /**
   * Returns 1 for the first line with this fingerprint, 2 for the second.
   *
   * @param fingerprint - in hexadecimal
   */
  next(fingerprint: string): number {
    if (this.#known === this.#counts.length) {
      this.#grow();
    }
    const words = [0, 8, 16, 24].map((at) => Number.parseInt(fingerprint.slice(at, at + 8), 16));
    const slot = this.#slotOf(words);
    let number = (this.#slots[slot] ?? 0) - 1;
    if (number < 0) {
      number = this.#known;
      this.#known += 1;
      this.#words.set(words, number * WORDS);
      this.#slots[slot] = number + 1;
    }
    const count = (this.#counts[number] ?? 0) + 1;
    this.#counts[number] = count;
    return count;
  }

  /** Returns the slot of the fingerprint, or the free one that it takes. At most half of the slots are taken. */
  #slotOf(words: readonly number[]): number {
    const last = this.#slots.length - 1;
    for (let slot = (words[0] ?? 0) & last; ; slot = (slot + 1) & last) {
      const number = (this.#slots[slot] ?? 0) - 1;
      if (number < 0 || words.every((word, index) => this.#words[number * WORDS + index] === word)) {
        return slot;
      }
    }
  }

  #grow(): void {
    const [words, counts] = [this.#words, this.#counts];
    this.#words = new Uint32Array(words.length * 2);
    this.#words.set(words);
    this.#counts = new Uint32Array(counts.length * 2);
    this.#counts.set(counts);
    this.#slots = new Int32Array(this.#slots.length * 2);
    for (let number = 0; number < this.#known; number += 1) {
      const own = Array.from(words.subarray(number * WORDS, (number + 1) * WORDS));
      this.#slots[this.#slotOf(own)] = number + 1;
    }
  }
}
