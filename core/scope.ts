import type { Scope } from '../database/connection.ts';
import type { ScopeInput } from '../workflows/messages/names.ts';

export function scopeOf(input: ScopeInput): Scope {
  return { applicationId: BigInt(input.applicationId), mode: input.mode };
}
