index=0
function onHandshake(address,path,properties,attempts)
  if attempts > properties.acceptableAttempts then
    return cumulus.servers
  end
  index=index+1
  if index > cumulus.servers.count then index=1 end
  return cumulus.servers[index]
end
