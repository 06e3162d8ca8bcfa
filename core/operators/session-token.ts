import { randomBytes } from 'node:crypto';
import type { SessionKind } from './store/sessions.ts';

/** 256 bits from the system's generator. The prefix lets secret scanners recognize the token. */
const TOKEN_BYTES = 32;
const TOKEN_FORMAT = /^ops_[A-Za-z0-9_-]{43}$/;

/** The token with which a request identifies its session. */
export interface PresentedToken {
  readonly token: string;
  readonly kind: SessionKind;
}

export function newSessionToken(): string {
  return `ops_${randomBytes(TOKEN_BYTES).toString('base64url')}`;
}

export function isSessionToken(text: string): boolean {
  return TOKEN_FORMAT.test(text);
}
