import type { Database } from '../../database/connection.ts';
import type { SessionLimits } from '../../database/operators/sessions.ts';
import type { AllowList } from '../../domain/outbound-url.ts';
import type { GatewayRegistry } from '../../gateways/port.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { SecretBox } from '../../runtime/secrets.ts';
import type { Dispatch } from '../../temporal/dispatch.ts';

/** What the operators' handlers close over; built in the API's main file only. */
export interface AdminDependencies {
  readonly database: Database;
  readonly secrets: SecretBox;
  readonly sessionLimits: SessionLimits;
  readonly gateways: GatewayRegistry;
  readonly dispatch: Dispatch;
  /** Hosts that a webhook may go to although they are not public: for development. */
  readonly allow: AllowList;
  /** Whether the worker sends mail. */
  readonly sendsEmail: boolean;
  readonly log: Logger;
  readonly apiUrl: string;
  readonly webUrl: string;
  /** Where workflows are looked at; null where that is not told. */
  readonly temporalUi: { readonly url: string; readonly namespace: string } | null;
}
