import { createHmac } from 'node:crypto';
import {
  RUNTIME_ROLES,
  RUNTIME_URL_VARIABLES,
  type RuntimeRole,
  type RuntimeUrls,
} from '../../runtime/database-roles.ts';

/**
 * Returns the logins of a stack on a developer's machine. Each password is derived from the owner's, which cannot be computed from it, nor can the
 * others. So all stacks on one server use the same logins, and nothing has to be stored. If the owner needs no password, neither do the logins.
 */
export function runtimeLogins(ownerUrl: string): Required<RuntimeUrls> {
  const urlOf = (role: RuntimeRole): string => {
    const url = new URL(ownerUrl);
    const { password } = url;
    url.username = role;
    url.password = password === '' ? '' : createHmac('sha256', password).update(role).digest('hex');
    return url.href;
  };
  return {
    lenden_app: urlOf('lenden_app'),
    lenden_operator: urlOf('lenden_operator'),
    lenden_system: urlOf('lenden_system'),
  };
}

/** Returns the same logins as environment variables. */
export function runtimeLoginVariables(ownerUrl: string): Record<string, string> {
  const logins = runtimeLogins(ownerUrl);
  return Object.fromEntries(RUNTIME_ROLES.map((role) => [RUNTIME_URL_VARIABLES[role], logins[role]]));
}
