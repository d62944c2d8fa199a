import { jest } from '@jest/globals';
import { Command } from 'commander';

/**
 * Runs one command of the command line in the test's own process, and returns what it prints.
 *
 * @param add adds the command to a program
 * @param args the words of the command line
 * @param env the settings of the command
 */
export async function printedBy(
  add: (program: Command) => void,
  args: string[],
  env: Record<string, string>,
): Promise<string> {
  const program = new Command().exitOverride();
  add(program);
  const before = { ...process.env };
  Object.assign(process.env, env);
  const printed: string[] = [];
  const output = jest.spyOn(process.stdout, 'write').mockImplementation(text => {
    printed.push(String(text));
    return true;
  });
  try {
    await program.parseAsync(args, { from: 'user' });
  } finally {
    output.mockRestore();
    process.env = before;
  }
  return printed.join('');
}
