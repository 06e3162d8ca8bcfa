import type { z } from 'zod';
import type { IdParams } from '../../http/fields.ts';
import type { NativeCaller } from '../authenticate.ts';
import { CREDENTIAL_ERRORS } from '../errors.ts';

export const TAG = 'Invoices';
export const OF_ONE = ['VALIDATION_ERROR', 'RESOURCE_NOT_FOUND', ...CREDENTIAL_ERRORS] as const;
export const CHANGING = ['INVALID_OPERATION_STATE', ...OF_ONE] as const;
export const WITH_BODY = ['PAYLOAD_TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE'] as const;

export interface OfOne {
  readonly caller: NativeCaller;
  readonly params: z.infer<typeof IdParams>;
}
