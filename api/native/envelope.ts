import { renderEnvelope, renderEnvelopeError } from '../http/envelope.ts';
import { USUAL_STATUS } from '../http/status.ts';

/** The native API uses the usual statuses and shares its envelope with the operators' API. */
export const NATIVE_STATUS = USUAL_STATUS;
export const renderNative = renderEnvelope;
export const renderNativeError = renderEnvelopeError;
