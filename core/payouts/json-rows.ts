const ROOM_AT_FIRST = 65_536;
/** UTF-8 needs at most so many bytes for a UTF-16 unit. */
const BYTES_OF_UNIT_MAX = 3;

/**
 * A JSON array that is written while its objects come, in bytes that are used again. As strings the rows of a file would survive young collections,
 * and a million of them would fill the heap until the next full one.
 */
export class JsonRows {
  #buffer = Buffer.allocUnsafeSlow(ROOM_AT_FIRST);
  #length = 0;
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** The array. It is valid until the next change. */
  get bytes(): Buffer {
    this.#buffer.write(']', this.#length);
    return this.#buffer.subarray(0, this.#length + 1);
  }

  add(row: object): void {
    const text = JSON.stringify(row);
    this.#makeRoom(text.length * BYTES_OF_UNIT_MAX + 2);
    this.#length += this.#buffer.write(this.#count === 0 ? '[' : ',', this.#length);
    this.#length += this.#buffer.write(text, this.#length);
    this.#count += 1;
  }

  clear(): void {
    this.#length = 0;
    this.#count = 0;
  }

  #makeRoom(bytes: number): void {
    if (this.#length + bytes > this.#buffer.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(this.#buffer.length * 2, this.#length + bytes));
      this.#buffer.copy(larger, 0, 0, this.#length);
      this.#buffer = larger;
    }
  }
}
