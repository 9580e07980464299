import { program } from "../../../cli/main.js";

const namesOf = (root: Awaited<ReturnType<typeof program>>) => root.commands.map((command) => command.name());

it("finds each command in the file that its name leads to, beside those that the file adds as well", async () => {
  const groups: (readonly string[])[] = [];
  const all = namesOf(
    await program((names) => {
      groups.push(names);
      return true;
    }),
  );
  expect(groups.flat()).toEqual(all);
  for (const group of groups) expect(namesOf(await program((names) => names === group))).toEqual(group);
});
