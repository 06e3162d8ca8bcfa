import type { PGlite } from '@electric-sql/pglite';
import { Duplex } from 'node:stream';

/** A socket whose other end is a PostgreSQL in this process. It answers before the write returns. */
export class Wire extends Duplex {
  private readonly postgres: PGlite;

  constructor(postgres: PGlite) {
    super();
    this.postgres = postgres;
  }

  /** node-postgres opens its socket with this. */
  connect(): this {
    process.nextTick(() => this.emit('connect'));
    return this;
  }

  setNoDelay(): this {
    return this;
  }

  setKeepAlive(): this {
    return this;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  override _read(): void {
    // Answers are pushed as they come.
  }

  override _write(bytes: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.push(Buffer.from(this.postgres.execProtocolRawSync(bytes)));
    done();
  }
}
