import { isReferenceTaken } from '../../database/new-payments.ts';

/** Of short references one may be taken; that five in a row are is no accident. */
const REFERENCES_TRIED_MAX = 5;

/** Runs again what writes a payment under a reference that it has just drawn, while that is another one's already. */
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
