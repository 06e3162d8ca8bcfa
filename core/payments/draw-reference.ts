import { isReferenceTaken } from './store/new-payments.ts';

/** A short reference may be taken. Five in a row are no coincidence. */
const REFERENCES_TRIED_MAX = 5;

/** Runs `write` again while the reference that it drew is already taken. */
export async function drawingAgain<Written>(write: () => Promise<Written>): Promise<Written> {
  for (let tried = 1; ; tried += 1) {
    try {
      return await write();
    } catch (error) {
      if (tried >= REFERENCES_TRIED_MAX || !isReferenceTaken(error)) {
        throw error;
      }
    }
  }
}
