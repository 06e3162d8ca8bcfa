import { Readable } from 'node:stream';
import { z } from 'zod';
import type { Update, UpdateFeed } from '../../core/updates/feed.ts';
import { viewFor, type AppView, type Grant } from '../../domain/permissions.ts';
import { UPDATE_KINDS, UPDATE_PERMISSIONS, type UpdateKind } from '../../domain/updates.ts';
import type { AdminDependencies } from './dependencies.ts';
import { adminRoute, type AdminRoute } from './route.ts';

/** A browser connects again by itself. With each connection the session and its permissions are read again. */
const SECONDS_MAX = 60;
const RECONNECT_MS = 1_000;
/** Proxies close a connection that is silent for longer than half a minute or more. */
const QUIET_MS = 15_000;
/** Browsers ignore an event without data. */
const UNKNOWN = 'event: unknown\ndata: {}\n\n';

const UpdatesQuery = z.object({
  seconds: z.coerce
    .number()
    .int()
    .min(1)
    .max(SECONDS_MAX)
    .optional()
    .describe(`When the stream ends. Defaults to ${SECONDS_MAX}.`),
});

/** Returns the route that tells the dashboard what to read again. */
export function updateRoutes(deps: AdminDependencies): AdminRoute[] {
  return [
    adminRoute({
      method: 'GET',
      path: '/admin/updates',
      operationId: 'followUpdates',
      tag: 'Inbox',
      summary: 'Follow what changes, as server-sent events',
      description: `A stream for \`EventSource\`. \`update\` names one thing that has changed: its data is JSON with \`kind\` (${UPDATE_KINDS.map((kind) => `\`${kind}\``).join(', ')}), \`id\` and \`mode\`. \`unknown\` says that more may have changed than was told: read again what you show. It begins with \`unknown\`. You are told of the lists that you may read, in the applications where you may. An update contains nothing but ids, about a second after the change; it may be missing, so read again now and then anyway. The stream ends after a minute at most, and browsers connect again.`,
      permission: 'any-permission',
      query: UpdatesQuery,
      response: { status: 200, schema: z.string(), contentType: 'text/event-stream; charset=utf-8' },
      errors: [],
      handler: async ({ caller, query }) => {
        const stream = new UpdateStream(deps.updates, caller.grants, query.seconds ?? SECONDS_MAX);
        return {
          status: 200,
          // Proxies such as nginx hold small answers back otherwise.
          headers: { 'Cache-Control': 'no-store, no-transform', 'X-Accel-Buffering': 'no' },
          stream,
        };
      },
    }),
  ];
}

/** The events of one connection. */
class UpdateStream extends Readable {
  readonly #unfollow: (() => void)[];
  readonly #end: NodeJS.Timeout;
  readonly #quiet: NodeJS.Timeout;
  #hasMissed = false;

  constructor(feed: UpdateFeed, grants: readonly Grant[], seconds: number) {
    super({ read: () => undefined });
    this.push(`retry: ${RECONNECT_MS}\n\n${UNKNOWN}`);
    this.#unfollow = viewsOf(grants).map(({ view, kinds }) =>
      feed.follow(view, {
        changed: (updates) => this.#tell(updates?.filter(({ kind }) => kinds.includes(kind)) ?? null),
        closed: () => this.#finish(),
      }),
    );
    this.#end = setTimeout(() => this.#finish(), seconds * 1_000);
    this.#quiet = setInterval(() => this.push(':\n\n'), QUIET_MS);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#stop();
    done(error);
  }

  /** Ends the stream. Nothing may be pushed behind its end. */
  #finish(): void {
    this.#stop();
    this.push(null);
  }

  #stop(): void {
    clearTimeout(this.#end);
    clearInterval(this.#quiet);
    for (const unfollow of this.#unfollow) {
      unfollow();
    }
  }

  #tell(updates: readonly Update[] | null): void {
    // What a browser does not read is not kept in memory for it.
    if (this.readableLength >= this.readableHighWaterMark) {
      this.#hasMissed = true;
    } else if (updates === null || this.#hasMissed) {
      this.#hasMissed = false;
      this.push(UNKNOWN);
    } else if (updates.length > 0) {
      this.push(updates.map(eventOf).join(''));
    }
  }
}

function eventOf({ kind, id, mode }: Update): string {
  return `event: update\ndata: ${JSON.stringify({ kind, id, mode })}\n\n`;
}

interface ToldView {
  readonly view: AppView;
  readonly kinds: readonly UpdateKind[];
}

/** Each permission has its own view. */
function viewsOf(grants: readonly Grant[]): ToldView[] {
  const told = UPDATE_KINDS.map((kind) => ({ kind, view: viewFor(grants, UPDATE_PERMISSIONS[kind]) })).filter(
    ({ view }) => view === 'every-app' || view.length > 0,
  );
  return [...Map.groupBy(told, ({ view }) => (view === 'every-app' ? view : view.join(','))).values()].flatMap(
    ([first, ...rest]) =>
      first === undefined ? [] : [{ view: first.view, kinds: [first, ...rest].map(({ kind }) => kind) }],
  );
}
