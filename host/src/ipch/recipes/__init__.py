"""Recipes: define, read, check, plan, run and resume their steps."""

from ipch.recipes.loader import (
    Chosen,
    choose_recipe,
    describe_recipes,
    find_recipe,
    load_recipe,
    parse_changes,
    recipe_of_record,
    waits_for_others,
)
from ipch.recipes.planning import Plan, plan
from ipch.recipes.resume import find_position
from ipch.recipes.runner import Runner
from ipch.recipes.steps import shortened

__all__ = [
    "Chosen", "Plan", "Runner", "choose_recipe", "describe_recipes", "find_position", "find_recipe",
    "load_recipe", "parse_changes", "plan", "recipe_of_record", "shortened", "waits_for_others",
]  # fmt: skip
