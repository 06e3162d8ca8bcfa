import type { CoreDependencies } from '../core/dependencies.ts';
import type { AllowList } from '../domain/outbound-url.ts';
import type { HttpClient } from '../runtime/http-client.ts';

/** The dependencies of the API's handlers. Only the API's main file builds them. */
export interface ApiDependencies extends CoreDependencies {
  /** Reaches public internet hosts only. Use it for URLs that applications choose. */
  readonly publicHttp: HttpClient;
  /** Hosts that `publicHttp` may reach although they are not public; empty in production. */
  readonly allow: AllowList;
}
