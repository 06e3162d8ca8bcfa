import type { Database } from '../../database/connection.ts';
import type { SessionLimits } from '../../core/operators/store/sessions.ts';
import type { Calendar } from '../../domain/calendar.ts';
import type { AllowList } from '../../domain/outbound-url.ts';
import type { GatewayRegistry } from '../../gateways/port.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { SecretBox } from '../../runtime/secrets.ts';
import type { Dispatch } from '../../core/dispatch.ts';
import type { UpdateFeed } from '../../core/updates/feed.ts';

/** The dependencies of the operators' routes. Only the API's main file builds them. */
export interface AdminDependencies {
  readonly database: Database;
  readonly secrets: SecretBox;
  readonly sessionLimits: SessionLimits;
  readonly gateways: GatewayRegistry;
  readonly dispatch: Dispatch;
  readonly updates: UpdateFeed;
  /** Hosts that webhooks may reach although they are not public, for development. */
  readonly allow: AllowList;
  /** Whether the worker sends email. */
  readonly sendsEmail: boolean;
  /** The time zone whose hours and days reports have rows for. */
  readonly calendar: Calendar;
  readonly log: Logger;
  readonly apiUrl: string;
  readonly webUrl: string;
  /** Where the Temporal UI is; null if not configured. */
  readonly temporalUi: { readonly url: string; readonly namespace: string } | null;
}
