import { Anchor, Button, Text, TextInput } from '@mantine/core';
import { api, dataOf } from '../api/client.ts';
import { ErrorNotice } from '../parts/error-notice.tsx';
import { Form, textOf } from '../parts/form.tsx';
import { useChange } from '../parts/use-change.ts';
import { useLanguage } from '../words/language.tsx';
import { EntryCard } from './entry-card.tsx';

/** Has a link to set another password emailed. It never says whether the address is an operator's. */
export function ForgottenPage({ back }: { readonly back: () => void }) {
  const { words } = useLanguage();
  const ask = useChange({
    mutationFn: (form: FormData) =>
      dataOf(api.POST('/auth/forgotten-password', { body: { email: textOf(form, 'email') } })),
  });
  return (
    <EntryCard title={words.login.forgottenTitle}>
      {ask.data === undefined ? (
        <Form submit={(form) => ask.mutate(form)}>
          <Text size="sm">{words.login.forgottenWhy}</Text>
          <TextInput name="email" type="email" label={words.login.email} autoComplete="username" required autoFocus />
          {ask.error !== null && <ErrorNotice error={ask.error} />}
          <Button type="submit" loading={ask.isPending}>
            {words.login.forgottenSubmit}
          </Button>
        </Form>
      ) : (
        <Text role="status">
          {ask.data.passwordLink === 'MAILED' ? words.login.forgottenMailed : words.login.forgottenOnServer}
        </Text>
      )}
      <Anchor component="button" type="button" size="sm" onClick={back}>
        {words.login.back}
      </Anchor>
    </EntryCard>
  );
}
