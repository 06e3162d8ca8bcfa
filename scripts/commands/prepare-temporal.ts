import { temporalServerOf } from '../../runtime/temporal-server.ts';
import { prepareNamespace } from '../shared/temporal-namespace.ts';

/**
 * A one-shot job for deployments: gives the namespace in `TEMPORAL_NAMESPACE` what Lenden needs before its processes start. Running it again changes
 * nothing.
 */
const server = temporalServerOf(process.env);
await prepareNamespace(server);
console.log(JSON.stringify({ msg: 'temporal namespace prepared', namespace: server.namespace }));
