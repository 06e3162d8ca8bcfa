import { createHmac } from 'node:crypto';
import { RUNTIME_ROLES, RUNTIME_URL_VARIABLES, type RuntimeRole, type RuntimeUrls } from '../runtime/database-roles.ts';

/**
 * The logins of a stack on a developer's machine: each password follows from the owner's, and none leads back to it or to another one. So all
 * stacks on one server agree on them, and nothing has to be kept. An owner who needs no password makes logins that need none.
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

/** The same as variables of the environment. */
export function runtimeLoginVariables(ownerUrl: string): Record<string, string> {
  const logins = runtimeLogins(ownerUrl);
  return Object.fromEntries(RUNTIME_ROLES.map((role) => [RUNTIME_URL_VARIABLES[role], logins[role]]));
}
