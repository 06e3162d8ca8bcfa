import { Button, PasswordInput, Text } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { api, dataOf, keepCsrfToken } from '../api/client.ts';
import { ErrorNotice } from '../parts/error-notice.tsx';
import { Form, textOf } from '../parts/form.tsx';
import { useLanguage } from '../words/language.tsx';
import { EntryCard } from './entry-card.tsx';
import { ME } from './session.tsx';
import { useChange } from '../parts/use-change.ts';

/** Shown while another person knows the password. */
export function NewPasswordPage() {
  const { words } = useLanguage();
  const queries = useQueryClient();
  const save = useChange({
    mutationFn: (form: FormData) =>
      dataOf(
        api.POST('/auth/password', {
          body: { password: textOf(form, 'current'), newPassword: textOf(form, 'next') },
        }),
      ),
    onSuccess: async ({ csrfToken }) => {
      keepCsrfToken(csrfToken);
      await queries.invalidateQueries({ queryKey: ME.queryKey });
    },
  });
  return (
    <EntryCard title={words.newPassword.title}>
      <Text>{words.newPassword.why}</Text>
      <Form submit={(form) => save.mutate(form)}>
        <PasswordInput name="current" label={words.newPassword.current} autoComplete="current-password" required />
        <PasswordInput name="next" label={words.newPassword.next} autoComplete="new-password" required />
        {save.error !== null && <ErrorNotice error={save.error} />}
        <Button type="submit" loading={save.isPending}>
          {words.newPassword.submit}
        </Button>
      </Form>
    </EntryCard>
  );
}
