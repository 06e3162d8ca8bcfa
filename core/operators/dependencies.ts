import type { Database } from '../../database/connection.ts';
import type { SecretBox } from '../../runtime/secrets.ts';
import type { SessionLimits } from './store/sessions.ts';

/** The dependencies of use cases about an operator's own session, password and second factor. */
export interface SessionDependencies {
  readonly database: Database;
  readonly secrets: SecretBox;
  readonly sessionLimits: SessionLimits;
}
