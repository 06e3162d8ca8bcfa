import type { Database } from '../database/connection.ts';
import type { Calendar } from '../domain/calendar.ts';
import type { AllowList } from '../domain/outbound-url.ts';
import type { GatewayRegistry } from '../gateways/port.ts';
import type { HttpClient } from '../runtime/http-client.ts';
import type { Logger } from '../runtime/logger.ts';
import type { Dispatch } from '../temporal/dispatch.ts';

/** The dependencies of the API's handlers. Only the API's main file builds them. */
export interface ApiDependencies {
  readonly database: Database;
  readonly gateways: GatewayRegistry;
  readonly dispatch: Dispatch;
  readonly log: Logger;
  readonly apiUrl: string;
  readonly webUrl: string;
  /** The time zone in which due dates are days. */
  readonly calendar: Calendar;
  /** Reaches public internet hosts only. Use it for URLs that applications choose. */
  readonly publicHttp: HttpClient;
  /** Hosts that `publicHttp` may reach although they are not public; empty in production. */
  readonly allow: AllowList;
}
