import { TextInput } from '@mantine/core';
import { api, dataOf, type Schemas } from '../api/client.ts';
import { Act } from '../parts/act.tsx';
import { today } from '../parts/days.ts';
import { textOf } from '../parts/form.tsx';
import { InvalidField } from '../parts/invalid-field.ts';
import { ReasonField } from '../parts/reason-field.tsx';
import { signedMinorUnitsOf } from '../payments/amount-text.ts';
import { useWords } from '../words/use-words.ts';
import { PAYOUT_WORDS } from './words.ts';

/** Says what arrived where no bank statement names the payout. */
export function BankAmountAct({ payout }: { readonly payout: Schemas['PayoutDetail'] }) {
  const words = useWords(PAYOUT_WORDS);
  const { reference, currency } = payout;
  return (
    <Act
      label={words.stateAmount}
      what={words.stateAct(payout.gatewayReference)}
      run={async (form) => {
        const amountMinor = signedMinorUnitsOf(textOf(form, 'amount'), currency);
        if (amountMinor === null) {
          throw new InvalidField(words.wrongAmount);
        }
        const body = { amountMinor, arrivedOn: textOf(form, 'arrivedOn'), reason: textOf(form, 'reason') };
        return dataOf(api.POST('/admin/payouts/{reference}/bank-amount', { params: { path: { reference } }, body }));
      }}
      refresh={[['payout', reference], ['payouts'], ['cases'], ['changes']]}
      done={({ pendingChanges }) => (pendingChanges.length > 0 ? words.waits : words.recorded)}
    >
      <TextInput name="amount" label={words.amount(currency)} inputMode="decimal" required data-autofocus />
      <TextInput
        name="arrivedOn"
        type="date"
        label={words.arrivedOn}
        defaultValue={payout.arrivesOn !== null && payout.arrivesOn < today() ? payout.arrivesOn : today()}
        max={today()}
        required
      />
      <ReasonField />
    </Act>
  );
}
