import { Button, NativeSelect, TextInput } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import { PAYMENT_STATUSES } from '../../../../domain/payment.ts';
import { useMode } from '../shell/mode.ts';
import { useLanguage } from '../words/language.tsx';
import { filterOf, type PaymentFilter } from './filter.ts';

/** Puts the filter into the address, so that it can be sent to a colleague and kept as a bookmark. */
export function FilterForm({ filter }: { readonly filter: PaymentFilter }) {
  const { words } = useLanguage();
  const { path } = useMode();
  const navigate = useNavigate();
  const show = (search: PaymentFilter): void =>
    void navigate({ to: '/$mode/payments', params: { mode: path }, search });
  return (
    <form
      role="search"
      className="filter"
      onSubmit={(event) => {
        event.preventDefault();
        show(filterOf(Object.fromEntries(new FormData(event.currentTarget))));
      }}
    >
      <TextInput
        name="find"
        type="search"
        label={words.payments.find}
        placeholder={words.payments.findHint}
        defaultValue={filter.find ?? ''}
      />
      <NativeSelect
        name="status"
        label={words.payments.status}
        defaultValue={filter.status ?? ''}
        data={[
          { value: '', label: words.all },
          ...PAYMENT_STATUSES.map((status) => ({ value: status, label: words.statuses[status] })),
        ]}
      />
      <TextInput name="from" type="date" label={words.payments.from} defaultValue={filter.from ?? ''} />
      <TextInput name="to" type="date" label={words.payments.to} defaultValue={filter.to ?? ''} />
      <Button type="submit">{words.apply}</Button>
      <Button variant="default" onClick={() => show({})}>
        {words.clear}
      </Button>
    </form>
  );
}
