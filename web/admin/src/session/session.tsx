import { queryOptions } from '@tanstack/react-query';
import { createContext, use } from 'react';
import { api, ApiError, bodyOf, dataOf, keepCsrfToken, type Schemas } from '../api/client.ts';
import type { Permission } from '../api/names.ts';

export type Me = Schemas['Me'];

/** Whoever is logged in; null: nobody. */
export const ME = queryOptions({
  queryKey: ['me'],
  staleTime: 60_000,
  queryFn: async (): Promise<Me | null> => {
    if (hasNoCookie()) {
      return null;
    }
    try {
      const me = await dataOf(api.GET('/auth/me'));
      keepCsrfToken(me.csrfToken);
      return me;
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) {
        return null;
      }
      throw error;
    }
  },
});

/** The page says whether its request carried a session's cookie, which scripts cannot read. Without one there is no need to ask who this is. */
function hasNoCookie(): boolean {
  const page = document.querySelector<HTMLMetaElement>('meta[name="session"]');
  return page?.content === 'none';
}

/** Notes that there is a cookie from now on. */
export function noteLoggedIn(): void {
  document.querySelector<HTMLMetaElement>('meta[name="session"]')?.setAttribute('content', 'cookie');
}

export const SessionContext = createContext<Me | null>(null);

/** @throws Error outside `SessionGate` */
export function useMe(): Me {
  const me = use(SessionContext);
  if (me === null) {
    throw new Error('nobody is logged in here');
  }
  return me;
}

/** Returns whether the operator holds a permission in some application, or in the one that is asked. It decides what is shown, not what is allowed. */
export function useMay(): (permission: Permission, applicationId?: number) => boolean {
  const { permissions } = useMe();
  return (wanted, applicationId) => {
    const held = permissions.find(({ permission }) => permission === wanted);
    return (
      held !== undefined &&
      (applicationId === undefined || held.applications === null || held.applications.includes(applicationId))
    );
  };
}

/** Returns whether the operator holds a permission in every application, as what belongs to none takes. */
export function useMayEverywhere(): (permission: Permission) => boolean {
  const { permissions } = useMe();
  return (wanted) => permissions.some(({ permission, applications }) => permission === wanted && applications === null);
}

/**
 * Ends the session at the server first, so that nobody believes to be logged out who is not. The page begins anew, in every tab: what the person has seen
 * is forgotten, so that the next one does not find it.
 */
export async function logOut(): Promise<void> {
  await endSession();
  keepCsrfToken(null);
  location.reload();
}

async function endSession(): Promise<void> {
  try {
    await bodyOf(api.POST('/auth/logout'));
  } catch (error) {
    if (!(error instanceof ApiError && error.status === 401)) {
      throw error;
    }
  }
}
