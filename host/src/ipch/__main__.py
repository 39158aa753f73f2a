from ipch.cli import main

main()
