"""Learning a skill by trial and error: rewards, an environment over any simulator, PPO."""
