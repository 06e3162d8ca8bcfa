import type { Context } from 'koa';
import { readJsonObject } from '../kit/form-body.ts';
import { refuse, unauthorized } from './answers.ts';
import type { Gateway } from './gateway.ts';
import { newToken } from './identifiers.ts';
import type { Merchant } from './merchants.ts';

const hourMs = 3_600_000;

/** Grants or refreshes a token. Both count towards the hourly limit, and a call over the limit blocks the merchant. */
export async function tokenCall(ctx: Context, gateway: Gateway, kind: 'grant' | 'refresh'): Promise<void> {
  const body = await readJsonObject(ctx.req);
  const merchant = gateway.merchants.find(
    ({ username, password }) => username === ctx.get('username') && password === ctx.get('password'),
  );
  if (!merchant) {
    unauthorized(ctx);
    return;
  }
  if (!admitted(gateway, merchant)) {
    await gateway.settled();
    ctx.status = 429;
    ctx.body = { message: 'Too Many Requests' };
    return;
  }
  if (body['app_key'] !== merchant.appKey || body['app_secret'] !== merchant.appSecret) {
    await gateway.settled();
    refuse(ctx, '2001');
    return;
  }
  if (kind === 'refresh' && !isValid(gateway, { text: body['refresh_token'], kind: 'refresh', merchant })) {
    await gateway.settled();
    refuse(ctx, '2079');
    return;
  }
  const answer = issue(gateway, merchant);
  await gateway.settled();
  ctx.body = answer;
}

/** Returns the merchant whose token and app key the call carries, or undefined after it has answered with the refusal. */
export function authenticate(ctx: Context, gateway: Gateway): Merchant | undefined {
  const text = ctx.get('authorization').replace(/^Bearer /i, '');
  const token = gateway.state.tokens.get(text);
  const merchant = gateway.merchants.find(({ username }) => username === token?.username);
  if (!merchant || !isValid(gateway, { text, kind: 'id', merchant })) {
    unauthorized(ctx);
    return undefined;
  }
  if (ctx.get('x-app-key') !== merchant.appKey) {
    refuse(ctx, '2001');
    return undefined;
  }
  return merchant;
}

function admitted(gateway: Gateway, { username }: Merchant): boolean {
  const { state, record } = gateway;
  const now = Date.now();
  if ((state.tokenBlocks.get(username) ?? 0) > now) {
    return false;
  }
  const recent = (state.tokenCalls.get(username) ?? []).filter((at) => at > now - hourMs);
  if (recent.length >= state.settings.tokenCallsPerHour) {
    record({ type: 'token_block', username, until: now + state.settings.tokenBlockMs });
    return false;
  }
  record({ type: 'token_call', username, at: now });
  return true;
}

function isValid(
  { state }: Gateway,
  { text, kind, merchant }: { text: unknown; kind: 'id' | 'refresh'; merchant: Merchant },
): boolean {
  const token = typeof text === 'string' ? state.tokens.get(text) : undefined;
  return token?.kind === kind && token.username === merchant.username && token.expiresAt > Date.now();
}

function issue({ state, record }: Gateway, { username }: Merchant) {
  const now = Date.now();
  const { tokenTtlMs, refreshTokenTtlMs } = state.settings;
  const [idToken, refreshToken] = [newToken(), newToken()];
  record({ type: 'token', token: { token: idToken, kind: 'id', username, expiresAt: now + tokenTtlMs } });
  record({
    type: 'token',
    token: { token: refreshToken, kind: 'refresh', username, expiresAt: now + refreshTokenTtlMs },
  });
  return {
    statusCode: '0000',
    statusMessage: 'Successful',
    id_token: idToken,
    token_type: 'Bearer',
    expires_in: Math.floor(tokenTtlMs / 1_000),
    refresh_token: refreshToken,
  };
}
