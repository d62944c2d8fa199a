import { jest } from '@jest/globals';
import { Command, CommanderError } from 'commander';

/**
 * Runs one command of the command line in the test's own process, which takes milliseconds. `cli` in test/support/command.ts starts a
 * process, as an operator does.
 *
 * @param add adds the command to a program
 * @param args the words of the command line
 * @param env the settings of the command
 * @returns the refusal of a wrong command line; undefined when the command was carried out
 */
export async function refusalOf(
  add: (program: Command) => void,
  args: string[],
  env: Record<string, string>,
): Promise<string | undefined> {
  let refusal = '';
  const program = new Command().exitOverride().configureOutput({ outputError: text => (refusal += text) });
  add(program);
  const before = { ...process.env };
  Object.assign(process.env, env);
  const output = jest.spyOn(process.stdout, 'write').mockImplementation(() => true);
  try {
    await program.parseAsync(args, { from: 'user' });
    return undefined;
  } catch (error) {
    if (error instanceof CommanderError) return refusal.trim().replace(/^error: /, '');
    throw error;
  } finally {
    output.mockRestore();
    process.env = before;
  }
}
