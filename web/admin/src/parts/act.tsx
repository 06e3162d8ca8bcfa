import { Button, Group, Stack, Text, type ButtonProps } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useQueryClient, type QueryKey } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { StepUpCancelled, useSensitive } from '../session/step-up.tsx';
import { useLanguage } from '../words/language.tsx';
import { Dialog } from './dialog.tsx';
import { ErrorNotice } from './error-notice.tsx';
import { Form } from './form.tsx';
import { useChange } from './use-change.ts';

interface ActProps<Result> extends Pick<ButtonProps, 'color' | 'variant' | 'size'> {
  /** What the button says. */
  readonly label: string;
  /** The act with its object. It heads the dialog and is repeated where the password is asked for. */
  readonly what: string;
  readonly run: (form: FormData) => Promise<Result>;
  /** What has to be read again afterwards, whatever the outcome. */
  readonly refresh: readonly QueryKey[];
  /** The fields, or what has to be known before. */
  readonly children: ReactNode;
  /** Shown once it is done. Without it the dialog closes. */
  readonly done?: (result: Result) => ReactNode;
}

/** A button that opens a dialog, in which something is done once the person has confirmed it. */
export function Act<Result>({ label, variant = 'default', color, size, ...act }: ActProps<Result>) {
  const [isOpen, { open, close }] = useDisclosure(false);
  return (
    <>
      <Button
        variant={variant}
        {...(color === undefined ? {} : { color })}
        {...(size === undefined ? {} : { size })}
        onClick={open}
      >
        {label}
      </Button>
      {isOpen && <ActDialog label={label} color={color ?? 'teal'} close={close} {...act} />}
    </>
  );
}

function ActDialog<Result>({
  label,
  what,
  run,
  refresh,
  children,
  done,
  color,
  close,
}: Omit<ActProps<Result>, 'variant' | 'size'> & { readonly close: () => void }) {
  const { words } = useLanguage();
  const sensitive = useSensitive();
  const queries = useQueryClient();
  const act = useChange({
    mutationFn: (form: FormData) => sensitive(what, () => run(form)),
    onSuccess: () => done === undefined && close(),
    onSettled: () => Promise.all(refresh.map((queryKey) => queries.invalidateQueries({ queryKey }))),
  });
  return (
    <Dialog title={what} close={close}>
      {act.isSuccess && done !== undefined ? (
        <Stack>
          <div role="status">{done(act.data)}</div>
          <Button onClick={close}>{words.close}</Button>
        </Stack>
      ) : (
        <Form submit={(form) => act.mutate(form)}>
          {children}
          {act.error !== null && !(act.error instanceof StepUpCancelled) && <ErrorNotice error={act.error} isChange />}
          <Group justify="flex-end">
            <Button variant="default" onClick={close}>
              {words.cancel}
            </Button>
            <Button type="submit" {...(color === undefined ? {} : { color })} loading={act.isPending}>
              {label}
            </Button>
          </Group>
        </Form>
      )}
    </Dialog>
  );
}

/** What stands in a dialog that needs no fields. */
export function Note({ children }: { readonly children: ReactNode }) {
  return <Text>{children}</Text>;
}
