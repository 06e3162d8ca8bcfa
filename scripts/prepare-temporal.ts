import { temporalServerOf } from '../runtime/temporal-server.ts';
import { prepareNamespace } from './temporal-namespace.ts';

/**
 * One-shot for a deployment: gives the namespace in `TEMPORAL_NAMESPACE` what Lenden needs before its processes start.
 * Repeating it changes nothing.
 */
const server = temporalServerOf(process.env);
await prepareNamespace(server);
console.log(JSON.stringify({ msg: 'temporal namespace prepared', namespace: server.namespace }));
