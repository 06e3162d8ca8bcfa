import { randomUUID } from 'node:crypto';
import type { Router } from '@koa/router';
import type { Context } from 'koa';
import { BodyError, readJsonObject } from './form-body.ts';
import type { ScriptTable } from './scripts.ts';
import type { Queued } from './state.ts';

const queuedMax = 10_000;

type Controlled<Owner, Script, Settings> = {
  state: { settings: Settings; queuedScripts: ReadonlyMap<string, Queued<Owner, Script>> };
  record(
    entry: { type: 'settings'; settings: Partial<Settings> } | { type: 'script_queued'; queued: Queued<Owner, Script> },
  ): void;
  settled(): Promise<void>;
};

export type CommonControl<Owner, Script, Settings> = {
  /** The path under which the routes are. */
  base: string;
  gateway: Controlled<Owner, Script, Settings>;
  scriptTable: ScriptTable<Script>;
  parseScript(value: unknown): Script;
  parseSettings(value: unknown): Partial<Settings>;
  /** The member of a request that says for how many payments a script is queued, in the gateway's own word for them. */
  countedAs: string;
  /**
   * Returns the owner whose next payments get the script.
   * @throws BodyError
   */
  ownerIn(body: Readonly<Record<string, unknown>>): Owner;
};

/** Registers the routes for settings and scripts, which the control API of every gateway has. Every change is a JSON request. */
export function commonControlRoutes<Owner, Script, Settings>(
  router: Router,
  control: CommonControl<Owner, Script, Settings>,
): void {
  const { base, gateway, scriptTable, parseSettings } = control;
  router.get(`${base}/config`, (ctx) => {
    ctx.body = gateway.state.settings;
  });
  router.put(`${base}/config`, async (ctx) => {
    gateway.record({ type: 'settings', settings: parseSettings(await readJsonObject(ctx.req)) });
    await gateway.settled();
    ctx.body = gateway.state.settings;
  });
  router.get(`${base}/scripts`, (ctx) => {
    ctx.body = { table: scriptTable, queued: [...gateway.state.queuedScripts.values()] };
  });
  router.post(`${base}/scripts`, (ctx) => queueScript(ctx, control));
}

async function queueScript<Owner, Script, Settings>(
  ctx: Context,
  { gateway, parseScript, countedAs, ownerIn }: CommonControl<Owner, Script, Settings>,
): Promise<void> {
  const body = await readJsonObject(ctx.req);
  const { [countedAs]: left = 1 } = body;
  if (typeof left !== 'number' || !Number.isInteger(left) || left < 1 || left > queuedMax) {
    throw new BodyError(400, `${countedAs} is a whole number from 1 to ${queuedMax}`);
  }
  const queued = { id: randomUUID(), ...ownerIn(body), script: parseScript(body['script']), left };
  gateway.record({ type: 'script_queued', queued });
  await gateway.settled();
  ctx.status = 201;
  ctx.body = queued;
}

type Body = Readonly<Record<string, unknown>>;

export type ActionControl<Payment> = {
  /** The path of one payment is below it. */
  path: string;
  /** What the gateway calls a payment. */
  called: string;
  /** Returns the payments with an id, or under a merchant's reference, oldest first. */
  find(reference: string): readonly Payment[];
  described(payment: Payment): unknown;
  /** What can be done to the newest of the payments. An action may have an answer of its own. */
  actions: Readonly<Record<string, (payment: Payment, body: Body) => unknown>>;
  settled(): Promise<unknown>;
};

/** Registers the routes that show payments and act on them in the payer's or the gateway's place. */
export function actionRoutes<Payment>(router: Router, control: ActionControl<Payment>): void {
  const { path, called, find, described, actions, settled } = control;
  const found = (ctx: Context): readonly Payment[] => find(String(ctx['params']['reference']));
  router.get(`${path}/:reference`, (ctx) => {
    ctx.body = found(ctx).map(described);
  });
  router.post(`${path}/:reference/:action`, async (ctx) => {
    const body = await readJsonObject(ctx.req);
    const payment = found(ctx).at(-1);
    if (payment === undefined) {
      throw new BodyError(404, `There is no such ${called}`);
    }
    const name = String(ctx['params']['action']);
    const action = Object.hasOwn(actions, name) ? actions[name] : undefined;
    if (action === undefined) {
      throw new BodyError(404, `The actions are ${Object.keys(actions).join(', ')}`);
    }
    const answer = action(payment, body);
    await settled();
    ctx.body = answer ?? described(payment);
  });
}

/**
 * Returns the merchant that a request names; the first one if it names none.
 * @throws BodyError
 */
export function ownerNamed<Owner>(
  owners: readonly Owner[],
  { idOf, id, member }: { idOf: (owner: Owner) => string; id: unknown; member: string },
): Owner {
  const owner = id === undefined ? owners[0] : owners.find((one) => idOf(one) === id);
  if (owner === undefined) {
    throw new BodyError(400, `${member} is unknown`);
  }
  return owner;
}
