import type { EntityManager } from '../../database/connection.ts';
import { readChunk } from './store/files.ts';

/** Runs one transaction that may see the file. */
type Transaction = <T>(work: (em: EntityManager) => Promise<T>) => Promise<T>;

/** Yields the bytes of a file as they were sent. Each piece is read in a transaction of its own, so that a slow reader blocks nothing. */
export async function* storedBytes(transaction: Transaction, fileId: bigint): AsyncGenerator<Uint8Array> {
  for (let number = 0; ; number += 1) {
    const chunk = await transaction((em) => readChunk(em, { fileId, number }));
    if (chunk === null) {
      return;
    }
    yield chunk;
  }
}
