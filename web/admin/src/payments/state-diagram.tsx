import type { PaymentStatus } from '../api/names.ts';
import { useLanguage } from '../words/language.tsx';

/** The ways of a payment; see ARCHITECTURE.md, "States". Each line begins where the one above it forks. */
const WAYS: readonly (readonly PaymentStatus[])[] = [
  ['CREATED', 'PENDING', 'SUCCEEDED', 'PARTIALLY_REFUNDED', 'REFUNDED'],
  ['FAILED', 'CANCELLED', 'EXPIRED'],
];

/** Shows every state a payment can have, with the present one lit. */
export function StateDiagram({ status }: { readonly status: PaymentStatus }) {
  const { words } = useLanguage();
  return (
    <section className="states" aria-label={`${words.payment.state}: ${words.statuses[status]}`}>
      {WAYS.map((way, index) => (
        <ol key={way.join()} className={index === 0 ? 'way' : 'ends'}>
          {way.map((state) => (
            <li key={state} className="state" aria-current={state === status ? 'step' : undefined}>
              {words.statuses[state]}
            </li>
          ))}
        </ol>
      ))}
    </section>
  );
}
