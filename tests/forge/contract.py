"""What every forge promises. A subclass gives the fixtures; `FakeForge`, the local forge and GitHub inherit it.

Fixtures: ``forge``; ``history`` (three commits of main, oldest first, titled c0 to c2); ``commits`` (two that apply to
any of them); ``unfit`` (one that does not); ``somebody_merges`` (a function that adds a commit to main that goes with
``commits``).
"""

import pytest

from agent.errors import Conflict, NotFound
from agent.model.delivery import Check

GREEN = Check(name="proof", state="success")


class ForgeContract:
    def opened(self, forge, history, commits):
        return forge.open("fix-1", history[-1], commits, "A title", "A body")

    def test_an_unknown_name_is_found_nowhere(self, forge):
        """Looking up a name that was never opened gives nothing."""
        assert forge.find("fix-1") is None

    def test_opening_makes_a_draft_that_can_be_found(self, forge, history, commits):
        """An opened pull request is a draft on its base, found by its name as it was given back."""
        made = self.opened(forge, history, commits)
        assert (made.state, made.base, made.title, made.body) == ("draft", history[-1], "A title", "A body")
        assert forge.find("fix-1") == made

    def test_opening_twice_makes_one(self, forge, history, commits):
        """The second open of the same content gives the first one back, same head, same number."""
        assert self.opened(forge, history, commits) == self.opened(forge, history, commits)

    def test_a_name_is_not_used_for_something_else(self, forge, history, commits):
        """Opening other commits under a used name is a conflict."""
        self.opened(forge, history, commits)
        with pytest.raises(Conflict):
            forge.open("fix-1", history[-1], commits[:1], "A title", "A body")

    def test_two_names_are_two_pull_requests(self, forge, history, commits):
        """Numbers differ."""
        first = self.opened(forge, history, commits)
        second = forge.open("fix-2", history[-1], commits, "A title", "A body")
        assert first.number != second.number

    def test_a_diff_that_does_not_apply_opens_nothing(self, forge, history, unfit):
        """A conflict, and nothing can be found afterwards."""
        with pytest.raises(Conflict):
            forge.open("fix-1", history[-1], (unfit,), "A title", "A body")
        assert forge.find("fix-1") is None

    def test_nothing_is_merged_without_checks(self, forge, history, commits):
        """No check at all is not a passed check."""
        made = self.opened(forge, history, commits)
        with pytest.raises(Conflict):
            forge.merge("fix-1", made.head, forge.main())

    @pytest.mark.parametrize("state", ["pending", "failure"])
    def test_nothing_is_merged_while_a_check_has_not_passed(self, forge, history, commits, state):
        """One pending or failed check holds the merge; the newest report of a check counts."""
        made = self.opened(forge, history, commits)
        forge.set_check("fix-1", GREEN)
        forge.set_check("fix-1", Check(name="ci", state=state))
        with pytest.raises(Conflict):
            forge.merge("fix-1", made.head, forge.main())
        forge.set_check("fix-1", Check(name="ci", state="success"))
        assert forge.merge("fix-1", made.head, forge.main()).state == "merged"

    def test_another_head_is_not_merged(self, forge, history, commits):
        """What was approved is what is merged."""
        self.opened(forge, history, commits)
        forge.set_check("fix-1", GREEN)
        with pytest.raises(Conflict):
            forge.merge("fix-1", history[0], forge.main())

    def test_merging_twice_merges_once(self, forge, history, commits):
        """The second merge finds the first one's merge commit."""
        made = self.opened(forge, history, commits)
        forge.set_check("fix-1", GREEN)
        first = forge.merge("fix-1", made.head, forge.main())
        assert first.merge_commit not in (None, made.head)
        assert forge.merge("fix-1", made.head, forge.main()) == first
        assert forge.find("fix-1") == first

    def test_a_main_that_moved_aside_still_merges(self, forge, history, commits, somebody_merges):
        """Somebody else's commit that does not touch the same lines is no conflict."""
        made = self.opened(forge, history, commits)
        forge.set_check("fix-1", GREEN)
        somebody_merges()
        assert forge.merge("fix-1", made.head, forge.main()).state == "merged"

    def test_closing_keeps_it_from_being_merged(self, forge, history, commits):
        """A closed pull request is not merged; closing again changes nothing."""
        made = self.opened(forge, history, commits)
        forge.set_check("fix-1", GREEN)
        closed = forge.close("fix-1", "not needed")
        assert closed.state == "closed"
        assert forge.close("fix-1", "again") == closed
        with pytest.raises(Conflict):
            forge.merge("fix-1", made.head, forge.main())

    def test_a_merged_one_is_not_closed(self, forge, history, commits):
        """Closing after the merge is a conflict."""
        made = self.opened(forge, history, commits)
        forge.set_check("fix-1", GREEN)
        forge.merge("fix-1", made.head, forge.main())
        with pytest.raises(Conflict):
            forge.close("fix-1", "too late")

    def test_unknown_names_are_said(self, forge, history):
        """Merging, closing or checking what does not exist is `NotFound`."""
        for act in (
            lambda: forge.merge("fix-1", history[0], forge.main()),
            lambda: forge.close("fix-1", ""),
            lambda: forge.set_check("fix-1", GREEN),
        ):
            with pytest.raises(NotFound):
                act()

    def test_riders_are_what_a_deploy_would_also_ship(self, forge, history, somebody_merges):
        """Unreleased commits of main, newest first, also those that came after the base."""
        assert forge.riders(history[-1], history[-1]) == ()
        assert forge.riders(history[0], history[-1]) == (history[2], history[1])
        newest = somebody_merges()
        assert forge.riders(history[-1], history[-1]) == (newest,)

    def test_commits_have_titles(self, forge, history):
        """In the order of the question; no commit, no title."""
        assert list(forge.titles(history[::-1]).items()) == list(zip(history[::-1], ("c2", "c1", "c0"), strict=True))
        assert forge.titles(()) == {}

    def test_riders_of_an_unknown_commit_are_not_guessed(self, forge, history):
        """A running commit that the host does not know is `NotFound`."""
        with pytest.raises(NotFound):
            forge.riders("f" * 40, history[-1])
